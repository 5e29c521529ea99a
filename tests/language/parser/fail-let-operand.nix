f let 3
