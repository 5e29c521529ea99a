[ http://example.org/a?b=c&d file:///x mailto:a@b.c ]
