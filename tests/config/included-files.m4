dnl A file that takes its parts from others.
define(`OPS', `ops@example.org')dnl
define(`WORK', `WORKTIME: wd {Mon-Fri} hr {9am-25}')dnl
hostgroup web www1 www2 www1

include(`parts/web.cf')dnl

watch db
    service ping
        interval 5m
        monitor fping.monitor
        period WORK
            alert mail.alert OPS
            alertafter 1d
