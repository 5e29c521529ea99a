"${./nothere}"
