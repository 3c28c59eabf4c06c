-- What the Vim syntax file makes of every word of a file. Run by tests/it/editor.rs in Neovim.
local shown = {}
for number = 1, vim.fn.line('$') do
  local last
  for column = 1, #vim.fn.getline(number) do
    local group = vim.fn.synIDattr(vim.fn.synID(number, column, 1), 'name')
    local letter = vim.fn.getline(number):sub(column, column)
    if group ~= '' and not letter:match('%s') then
      if last and last.group == group and last.to == column - 1 then
        last.to, last.text = column, last.text .. letter
      else
        last = { group = group, to = column, text = letter }
        table.insert(shown, { number, last })
      end
    end
  end
end
local out = io.open(vim.env.REMON_OUT, 'w')
for _, entry in ipairs(shown) do
  out:write(('%d %s %s\n'):format(entry[1], entry[2].group, entry[2].text))
end
out:write('filetype ' .. vim.bo.filetype .. '\n')
out:close()
vim.cmd('qall!')
