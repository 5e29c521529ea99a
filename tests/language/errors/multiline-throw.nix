throw "line one\nline two\n  line three"
