define(`PING', `service ping
        interval $1
        monitor fping.monitor
        period
            alert mail.alert ops@example.org')dnl
hostgroup web www1

watch web
    PING(5m)

watch db
    PING(5)
