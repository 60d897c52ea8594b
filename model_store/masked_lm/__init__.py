"""The masked-LM task as a Keras user meets it: the model, its preprocessor, its tokenizer."""
