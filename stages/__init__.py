"""One command line a stage; each also runs without DVC.

What a stage's process sets for itself before it imports anything else stands here.
"""

import gc
import os

# Imports make objects by the million and hardly any garbage; at Python's own threshold of 700 the
# collector goes through them so often that it takes up to a fifth of a stage's start.
gc.set_threshold(50_000, 20, 20)
# Threads of torch that wait for work sleep. They would spin, and with another stage or anything
# else on the cores a step of training then costs several times its CPU time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
