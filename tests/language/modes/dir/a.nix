"the file a"
