import /etc/x
