"""Use a trained model: predictions for texts of one's own."""
