"""How the embedded ladder is made: facts to text to tokens to pretrained language models."""
