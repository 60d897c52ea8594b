"""PromQL for the servers that are chosen above a dashboard."""

CHOSEN = 'job="$job", instance=~"$instance"'
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def chosen(metric: str, more: str = "") -> str:
    """Return the series of a metric on the chosen servers."""
    return f"{metric}{{{CHOSEN}{', ' * bool(more)}{more}}}"


def rate(metric: str, by: str = "", more: str = "") -> str:
    """Return how much a counter grows in a second, on all of them together."""
    grouped = f"sum by ({by})" if by else "sum"
    return f"{grouped} (rate({chosen(metric, more)}[$__rate_interval]))"


def share(metric: str, more: str) -> str:
    """Return the share of some series in all of a counter; 0 where there is none of them yet."""
    return f"({rate(metric, more=more)} or vector(0)) / {rate(metric)}"


def mean(histogram: str, by: str = "") -> str:
    """Return the mean of what a histogram observed."""
    return f"{rate(f'{histogram}_sum', by)} / {rate(f'{histogram}_count', by)}"


def quantile(share: float, histogram: str, by: str = "") -> str:
    """Return what a share of the observations is below."""
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', grouped)})"


def quantiles(histogram: str) -> dict[str, str]:
    """Return three of them."""
    return {name: quantile(share, histogram) for name, share in QUANTILES.items()}


def by_stage(share: float) -> dict[str, str]:
    """Return a quantile of each stage that a request goes through, and of the whole."""
    stages = ("request", "tokenization", "queue", "inference")
    return {name: quantile(share, f"fill_mask_{name}_duration_seconds") for name in stages}
