x: (y: z) x
