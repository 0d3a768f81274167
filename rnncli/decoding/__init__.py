"""How a sequence is written token by token, whatever model says what comes next."""
