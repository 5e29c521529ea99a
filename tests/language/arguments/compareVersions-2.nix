builtins.compareVersions "1" null
