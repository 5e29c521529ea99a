abort "gone"
