"""Who predicts: pretrained models, their heads, and how text becomes batches."""
