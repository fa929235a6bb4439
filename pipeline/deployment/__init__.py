"""Use a trained model: predict labels of your own texts."""
