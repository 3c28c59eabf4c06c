define(`EVERY', `1m')dnl
# The same, through m4.
serverport = 2583
maxprocs = 20
randstart = 60s

hostgroup web web1 web2 web3

hostgroup db db1

alias who
    amy

view ops watch web

watch web
    service ping
        interval EVERY
        monitor fping.monitor
        PASSWORD=sesame
        period day: wd {Mon-Fri} hr {9am-5pm}
            alert mail.alert amy
            alertevery 1h
        period
            alert mail.alert bob
    service http
        interval 5m
        monitor http.monitor
        period
            alert mail.alert amy

watch db
    service mysql
        interval 5m
        monitor tcp.monitor -p 3306
        depend SELF:ping
        period
            alert mail.alert amy
    service ping
        interval EVERY
        monitor fping.monitor
        period
            alert mail.alert amy
