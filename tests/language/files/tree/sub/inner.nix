{ value = "inner"; }
