"""The booking: its life cycle, slots, links, and what people are told of it."""
