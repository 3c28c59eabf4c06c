" Configuration files of mon, also those for m4; auth.cf and the like are something else.
autocmd BufNewFile,BufRead mon.cf,mon.m4,mon.cf.m4,*/etc/mon/*.m4 set filetype=mon
