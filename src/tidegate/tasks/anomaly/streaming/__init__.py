"""Values as they come: a stream scores each, says what is wrong with it, and goes on learning."""
