let { 3 }
