"""Who is at the REST door? Checks the game's key before API Gateway lets a request through."""
