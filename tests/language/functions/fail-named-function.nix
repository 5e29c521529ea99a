let foo = { a }: a; in foo { }
