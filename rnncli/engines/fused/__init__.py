"""Any cell in few operations of torch a step."""
