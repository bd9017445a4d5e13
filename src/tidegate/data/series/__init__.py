"""Series: values on one clock, read out of tables and arrays and checked."""
