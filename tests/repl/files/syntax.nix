{ broken = ; }
