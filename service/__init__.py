"""fillmask over HTTP: the edge, the queue, and the models behind them."""
