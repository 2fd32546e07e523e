"""What the results of many designs say together: how far the answer moves, by which choices, and what stays."""
