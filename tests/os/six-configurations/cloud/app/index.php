<?php
// Counts visits in the database and names the session that the cache keeps.
$db = new PDO("mysql:unix_socket=/run/mysqld/mysqld.sock;dbname=cloud", "cloud");
$db->exec("CREATE TABLE IF NOT EXISTS visits (path VARCHAR(100))");
$db->prepare("INSERT INTO visits VALUES (?)")->execute([$_SERVER["PATH_INFO"] ?? "/"]);
$cache = new Redis();
$cache->connect("/run/redis-cloud/redis.sock");
$cache->set("last", $_SERVER["PATH_INFO"] ?? "/");
$visits = $db->query("SELECT COUNT(*) FROM visits")->fetchColumn();
echo "visits $visits, ", ini_get("memory_limit"), ", ", getenv("CLOUD_HOME"), ", ", $cache->get("last"), "\n";
