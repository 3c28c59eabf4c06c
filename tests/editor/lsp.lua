-- Neovim's own LSP client drives `mon lsp`; every answer is written down. Run by tests/it/editor.rs.
-- The environment says which server, which file, and where the answers go.
local out = io.open(vim.env.REMON_OUT, 'w')
local buffer = vim.api.nvim_get_current_buf()
local path = vim.api.nvim_buf_get_name(buffer)

local function say(...)
  out:write(table.concat({ ... }, ' ') .. '\n')
end

local function fail(why)
  say('FAILED', why)
  out:close()
  vim.cmd('cquit!')
end

local finished, why = xpcall(function()
  local exited
  local client = vim.lsp.start_client({
    name = 'mon',
    cmd = { vim.env.REMON_MON, 'lsp' },
    root_dir = vim.fn.fnamemodify(path, ':h'),
    on_exit = function(code) exited = code end,
  })
  vim.lsp.buf_attach_client(buffer, client)

  local function wait(what, condition)
    if not vim.wait(60000, condition, 10) then error('waited in vain for ' .. what) end
  end

  -- Where the text stands: line and byte from 0, of the n-th occurrence.
  local function find(text, nth)
    for number, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, true)) do
      local from = 1
      while true do
        local at = line:find(text, from, true)
        if not at then break end
        nth = (nth or 1) - 1
        if nth == 0 then return number - 1, at - 1 end
        from = at + 1
      end
    end
    error('no ' .. text)
  end

  -- Params as the client makes them: from the cursor, in UTF-16.
  local function at(text, nth, after)
    local line, column = find(text, nth)
    vim.api.nvim_win_set_cursor(0, { line + 1, column + (after and #text or 0) })
    return vim.lsp.util.make_position_params(0, 'utf-16')
  end

  local function ask(method, params)
    local answers, problem = vim.lsp.buf_request_sync(buffer, method, params, 60000)
    if not answers then error(method .. ': ' .. tostring(problem)) end
    local answer = answers[client]
    if answer.error then return nil, answer.error.message end
    return answer.result
  end

  -- The buffer's text in a range of the protocol.
  local function text_at(range)
    local lines = vim.api.nvim_buf_get_lines(buffer, range.start.line, range['end'].line + 1, false)
    if #lines == 0 then return '' end
    local function byte(line, units)
      return vim.str_byteindex(line, math.min(units, vim.fn.strchars(line) * 2), true)
    end
    local last = byte(lines[#lines], range['end'].character)
    lines[#lines] = lines[#lines]:sub(1, last)
    lines[1] = lines[1]:sub(byte(lines[1], range.start.character) + 1)
    return table.concat(lines, '|')
  end

  local function replace(old, new)
    local line, column = find(old)
    vim.api.nvim_buf_set_text(buffer, line, column, line, column + #old, { new })
  end

  local function diagnostics()
    local found = {}
    for _, one in ipairs(vim.diagnostic.get(buffer)) do
      local line = vim.api.nvim_buf_get_lines(buffer, one.lnum, one.lnum + 1, true)[1]
      local marked = one.end_lnum == one.lnum and line:sub(one.col + 1, one.end_col) or '...'
      local code = one.code or (one.user_data and one.user_data.lsp and one.user_data.lsp.code)
      table.insert(found, ('%s %s %s %d'):format(code, one.severity == 1 and 'error' or 'warning', marked, one.lnum + 1))
    end
    table.sort(found)
    return found
  end

  local function settle(what, expected)
    if not vim.wait(60000, function() return vim.deep_equal(diagnostics(), expected) end, 10) then
      error(what .. ': ' .. vim.inspect(diagnostics()))
    end
    say('DIAGNOSTICS', what, (vim.inspect(expected):gsub('%s+', ' ')))
  end

  wait('initialize', function() return vim.lsp.get_client_by_id(client).initialized end)
  settle('as opened', {})

  -- Typing: mistakes appear where they are, behind letters that take two UTF-16 units, and go again.
  replace('description Zürich 🛎 bells', 'descriptoin Zürich 🛎 bells')
  replace('depend SELF:ping', 'depend SELF:pnig')
  settle('after a slip', { 'E021 error descriptoin 18', 'W008 warning SELF:pnig 26' })

  -- The fixes that the server offers are applied by the client.
  local function fix(text)
    local position = at(text)
    local params = {
      textDocument = position.textDocument,
      range = { start = position.position, ['end'] = position.position },
      context = { diagnostics = {} },
    }
    local offers = ask('textDocument/codeAction', params)
    local titles = vim.tbl_map(function(offer) return offer.title end, offers)
    say('ACTIONS', text, table.concat(titles, ', '))
    vim.lsp.util.apply_workspace_edit(offers[1].edit, 'utf-16')
  end
  fix('descriptoin')
  fix('SELF:pnig')
  settle('after the fixes', {})

  local function hover(text, nth, most)
    local answer = ask('textDocument/hover', at(text, nth))
    local page = answer and answer.contents.value:gsub('\n', '|') or 'nothing'
    say('HOVER', text, page:sub(1, most or 100))
  end
  hover('hostgroup')
  hover('interval')
  hover('alertevery')
  hover('histlength')
  hover('dep_behavior', 1)
  hover('dep_behavior', 2)
  hover('database', 3)
  hover('database', 4)
  hover('ping', 4)
  hover('file.alert')
  hover('here.alert')
  hover('wd {')
  hover('# A file')

  -- Completion: type something, ask, take it back.
  local function complete(below, typed)
    local line = find(below)
    vim.api.nvim_buf_set_lines(buffer, line + 1, line + 1, true, { typed })
    vim.api.nvim_win_set_cursor(0, { line + 2, #typed })
    local params = vim.lsp.util.make_position_params(0, 'utf-16')
    -- The cursor of normal mode cannot stand behind the last letter.
    params.position = { line = line + 1, character = select(2, vim.str_utfindex(typed, #typed)) }
    local items = ask('textDocument/completion', params).items
    local labels = vim.tbl_map(function(item) return item.label end, items)
    table.sort(labels)
    local applied = ''
    if #items == 1 then
      vim.lsp.util.apply_text_edits({ items[1].textEdit }, buffer, 'utf-16')
      applied = '=> ' .. vim.api.nvim_buf_get_lines(buffer, line + 1, line + 2, true)[1]
    end
    vim.api.nvim_buf_set_lines(buffer, line + 1, line + 2, true, {})
    say('COMPLETION', '[' .. typed .. ']', table.concat(labels, ' '), applied)
  end
  complete('histlength', 'hist')
  complete('histlength', 'w')
  complete('histlength', 'dtlogging = ')
  complete('watch database', '')
  complete('interval 5m', 'mon')
  complete('interval 5m', '🛎 ')
  complete('interval 5m', '        monitor l')
  complete('interval 5m', '        monitor tcp.monitor -')
  complete('interval 5m', '        depend ')
  complete('interval 5m', '        depend SELF:http && data')
  complete('interval 5m', '        depend database:')
  complete('interval 5m', '        exclude_hosts ')
  complete('period wd', '            upalert l')
  complete('period wd', '            alert exit=1 file.alert -')
  complete('period wd', '            alertevery 1h s')
  complete('period wd', '        period wd {Mon} h')
  complete('period wd', '            aler')
  complete('view all', '    database:')
  settle('after completion', {})

  local function places(method, text, nth, more)
    local found = ask(method, vim.tbl_extend('force', at(text, nth), more or {}))
    local list = vim.tbl_map(function(place)
      return (place.range.start.line + 1) .. ':' .. text_at(place.range)
    end, found)
    say(method, text, table.concat(list, ' '))
  end
  places('textDocument/definition', 'database', 2)
  places('textDocument/definition', 'SELF:ping')
  places('textDocument/definition', 'database:ping')
  places('textDocument/definition', 'loud')
  places('textDocument/references', 'database', 1, { context = { includeDeclaration = true } })
  places('textDocument/documentHighlight', 'ping', 2)

  local function rename(text, nth, new)
    local params = vim.tbl_extend('force', at(text, nth), { newName = new })
    local edit, refused = ask('textDocument/rename', params)
    if not edit then return say('REFUSED', text, new, refused) end
    vim.lsp.util.apply_workspace_edit(edit, 'utf-16')
    say('RENAMED', text, new)
  end
  rename('database', 1, 'front')
  rename('database', 1, 'no name')
  replace('hostgroup lonely lonely', '# no hostgroup')
  rename('lonely', 1, 'other')
  replace('# no hostgroup', 'hostgroup lonely lonely')
  rename('loud', 1, 'other')
  rename('database', 1, 'db')
  rename('http', 1, 'web')
  settle('after renaming', {})
  for _, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, true)) do
    if line:find('db') or line:find('web') then say('NOW', line) end
  end

  local function outline(symbols, depth)
    for _, symbol in ipairs(symbols) do
      say(('SYMBOL %s%s (%s) %d-%d %s'):format(('  '):rep(depth), symbol.name, symbol.detail, symbol.range.start.line + 1,
        symbol.range['end'].line + 1, text_at(symbol.selectionRange)))
      outline(symbol.children or {}, depth + 1)
    end
  end
  outline(ask('textDocument/documentSymbol', at('hostgroup')), 0)

  -- Formatting, as `:lua vim.lsp.buf.formatting_sync()` does it.
  local before = vim.api.nvim_buf_get_lines(buffer, 0, -1, true)
  local edits = ask('textDocument/formatting', vim.lsp.util.make_formatting_params())
  vim.lsp.util.apply_text_edits(edits, buffer, 'utf-16')
  local after = vim.api.nvim_buf_get_lines(buffer, 0, -1, true)
  local changed = 0
  for number = 1, math.max(#before, #after) do
    if before[number] ~= after[number] then changed = changed + 1 end
  end
  say('FORMATTED', #before, 'lines,', changed, 'changed')
  vim.fn.writefile(after, vim.env.REMON_OUT .. '.formatted')
  settle('after formatting', {})
  replace('interval 5m', 'interval fivem')
  settle('with an error', { 'E016 error fivem 20' })
  hover('fivem', 1, 7)
  local _, refused = ask('textDocument/formatting', vim.lsp.util.make_formatting_params())
  say('NOT FORMATTED', refused)

  vim.lsp.stop_client(client)
  wait('the end of the server', function() return exited ~= nil end)
  say('EXIT', exited)
end, debug.traceback)

if not finished then fail(why) end
out:close()
vim.cmd('qall!')
