"""Other people's services that send messages to telephones, on loopback, as they document themselves."""
