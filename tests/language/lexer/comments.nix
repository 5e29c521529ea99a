1 # one
/* two /* three */ + /** doc */ 2
