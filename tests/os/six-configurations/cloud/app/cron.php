<?php
file_put_contents(getenv("CLOUD_HOME") . "/cron.log", "ran as " . posix_getpwuid(posix_geteuid())["name"] . "\n", FILE_APPEND);
