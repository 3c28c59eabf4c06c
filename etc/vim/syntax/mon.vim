" Vim syntax file
" Language: mon.cf, the configuration of the service monitor mon
" The keywords are those that `mon` itself knows: a test of remon holds the two equal.

if exists("b:current_syntax")
  finish
endif

syntax case match

" Comments: only at the beginning of a line.
syntax match monComment /^\s*#.*$/ contains=monTodo
syntax keyword monTodo TODO FIXME XXX contained

" Keywords stand at the beginning of a line. What does not is a host, an argument, or text.
syntax match monStart /^\s*\ze\h/ nextgroup=monRecord,monService,monServiceKeyword,monPeriod,monPeriodKeyword,monGlobal,monVariable
syntax keyword monRecord contained hostgroup watch view alias nextgroup=monName skipwhite
syntax keyword monService contained service nextgroup=monName skipwhite
syntax keyword monServiceKeyword contained
      \ allow_empty_group alertdepend depend description exclude_hosts failure_interval hostdepend interval
      \ monitor monitordepend randskew redistribute trapduration traptimeout
syntax keyword monPeriod contained period nextgroup=monLabel skipwhite
syntax keyword monPeriodKeyword contained
      \ ackalert alert alertafter alertevery alertexitrange alertretry alerts_dont_count disablealert
      \ no_comp_alerts numalerts startupalert upalert upalertafter
" These are global variables as well, with a `=`.
syntax match monServiceKeyword contained /\<\%(dep_behavior\|dep_memory\|exclude_period\|unack_summary\)\>/
syntax match monPeriodKeyword contained /\<\%(alert_timeout\)\>/
syntax match monGlobal contained /\<\%(alert_timeout\|alertdir\|authfile\|authtype\|basedir\|cfbasedir\|clientallow\|cltimeout\)\>\ze\s*=/
syntax match monGlobal contained /\<\%(dep_behavior\|dep_memory\|dep_recur_limit\|dtlogfile\|dtlogging\)\>\ze\s*=/
syntax match monGlobal contained /\<\%(exclude_period\|historicfile\|historictime\|historykeep\|histlength\|logdir\|maxprocs\)\>\ze\s*=/
syntax match monGlobal contained /\<\%(mondir\|monerrfile\|monremote\|pamservice\|pidfile\|randstart\|serverbind\)\>\ze\s*=/
syntax match monGlobal contained /\<\%(serverport\|startupalerts_on_reset\|statedir\|syslog_facility\|trapbind\)\>\ze\s*=/
syntax match monGlobal contained /\<\%(trapport\|unack_summary\|userfile\)\>\ze\s*=/
" Environment variables of a service.
syntax match monVariable contained /\<[A-Z_][A-Z0-9_]*\ze=/

syntax match monName contained /[A-Za-z0-9_.-]\+/
syntax match monLabel contained /\h\w*\s*:/
syntax match monScale /\<\c\%(yr\|year\|mo\|month\|wk\|week\|yd\|yday\|md\|mday\|wd\|wday\|hr\|hour\|min\|minute\|sec\|second\)\>\ze\s*{/ nextgroup=monRange skipwhite
syntax match monRange contained /{[^}]*}/
syntax match monTime /\<\d\+\%(\.\d*\)\=[smhdSMHD]\>/
syntax match monNoHosts /;;\s*$/
syntax match monContinued /\\\s*$/
syntax region monString start=/"/ skip=/\\"/ end=/"/ oneline

" A file that goes through m4.
syntax match monMacro /\<\%(define\|undefine\|include\|ifdef\|ifelse\|dnl\|divert\|changequote\|changecom\)\>/

highlight default link monComment Comment
highlight default link monTodo Todo
highlight default link monRecord Structure
highlight default link monService Structure
highlight default link monPeriod Structure
highlight default link monServiceKeyword Keyword
highlight default link monPeriodKeyword Keyword
highlight default link monGlobal Identifier
highlight default link monVariable PreProc
highlight default link monName Function
highlight default link monLabel Label
highlight default link monScale Type
highlight default link monRange Constant
highlight default link monTime Number
highlight default link monNoHosts Special
highlight default link monContinued Special
highlight default link monString String
highlight default link monMacro PreProc

let b:current_syntax = "mon"
