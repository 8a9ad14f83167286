"""The people of the practice: clients, psychologists with their hours and absences, sponsors."""
