"""Training and inference of bound plans with NumPy, in exactly the planned memory.

>>> import planner, runtime
>>> net = planner.Network(name="t", input={"image": ("N", 1, 8, 8)},
...                       layers=[planner.layer("maxpool", size=2)])
>>> model = runtime.Model(net.check().bind(N=1))
"""

from runtime.model import Model as Model
