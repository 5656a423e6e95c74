"""What intake can do. Arrivals have one way in, `arrivals.record_arrivals`, however they come."""
