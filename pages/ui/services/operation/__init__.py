"""What operators of the server see and steer: metrics, and whether it takes visitors."""
