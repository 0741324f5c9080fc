"""Statistics as pure functions of counts, vectorised over features."""
