changequote([, ])dnl
dnl Who is told, and when, stands here once.
define([TELL_OFFICE], [period OFFICE: wd {Mon-Fri} hr {8am-5pm}
            alertafter 2
            alertevery $1
            alert mail.alert it@museum.example
            upalert mail.alert it@museum.example])dnl
define([TELL_NIGHT], [period NIGHT: wd {Mon-Fri} hr {6pm-7am}, wd {Sat-Sun}
            alertafter 4
            alertevery $1
            alert mail.alert guard@museum.example
            alert sms.alert 4410 4411
            upalert mail.alert guard@museum.example])dnl
mondir = /usr/lib/mon/mon.d
alertdir = /usr/lib/mon/alert.d
serverbind = 127.0.0.1

hostgroup climate sensor-a1 sensor-a2 sensor-b1 sensor-vault sensors-gw

hostgroup doors door-north door-south door-vault

hostgroup office nas print mail

watch climate
    service ping
        interval 1m
        monitor fping.monitor
        TELL_OFFICE(30m)
        TELL_NIGHT(1h)
    service humidity
        description between 45 and 55 %
        interval 5m
        monitor hygro.monitor --low 45 --high 55
        depend SELF:ping
        TELL_OFFICE(1h)
        TELL_NIGHT(2h)

watch doors
    service ping
        interval 30s
        failure_interval 15s
        monitor fping.monitor
        TELL_OFFICE(15m)
        TELL_NIGHT(15m)

watch office
    service ping
        interval 5m
        monitor fping.monitor
        TELL_OFFICE(2h)
    service printing
        interval 30m
        monitor tcp.monitor -p 9100
        exclude_hosts nas mail
        TELL_OFFICE(1d)
