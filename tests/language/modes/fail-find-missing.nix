<d/nothere>
