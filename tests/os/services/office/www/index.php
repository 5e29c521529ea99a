<?php
$database = new PDO("pgsql:dbname=wiki");
$cache = new Redis();
$cache->connect("/run/redis-wiki/redis.sock");
$cache->set("page", "kept");
echo $database->query("SELECT current_user")->fetchColumn(), " ", $cache->get("page"), " ", ini_get("upload_max_filesize"),
    " ", ini_get("date.timezone"), " ", getenv("PLACE"), " ", $_SERVER["REQUEST_URI"];
