"""How many replicas a load takes, and how long its callers wait: measured, computed, simulated.

Lives here: a load with random arrivals, a server that tells of its batches, the times fitted to
both, a queueing model, a simulation of many replicas with the scheduler's own choice of batches,
and what a million requests a second take.
Knows the scheduler. Does not know BERT, models or HTTP beyond the one route that it loads.
"""
