dnl Forty branches from one line each.
dnl BRANCH(name, network, phone)
define(`BRANCH',
`hostgroup $1-router $2.1

hostgroup $1-server $2.10 $2.11

watch $1-router
    service ping
        interval 2m
        monitor fping.monitor
        period hr {7am-7pm}
            alertafter 3
            alertevery 1h
            alert mail.alert branches@bank.example
            alert sms.alert $3
            upalert mail.alert branches@bank.example

watch $1-server
    service ping
        interval 5m
        monitor fping.monitor
        depend $1-router:ping
        period
            alertafter 2
            alertevery 4h
            alert mail.alert branches@bank.example
            upalert mail.alert branches@bank.example
    service cifs
        interval 10m
        monitor tcp.monitor -p 445
        depend $1-router:ping && SELF:ping
        period hr {7am-7pm}
            alertafter 2
            alertevery 4h
            alert mail.alert branches@bank.example
            upalert mail.alert branches@bank.example
')dnl
mondir = /usr/lib/mon/mon.d
alertdir = /usr/lib/mon/alert.d
maxprocs = 60
serverbind = 127.0.0.1

BRANCH(hamburg, 10.40.1, 7101)
BRANCH(homburg, 10.40.2, 7102)
BRANCH(bremen, 10.40.3, 7103)
BRANCH(bamberg, 10.40.4, 7104)
BRANCH(freiburg, 10.41.1, 7105)
BRANCH(freiberg, 10.41.2, 7106)
