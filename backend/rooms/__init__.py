"""Where online sessions take place: the rooms, and who provides them."""
