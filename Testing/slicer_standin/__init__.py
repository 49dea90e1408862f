"""A stand-in for 3D Slicer in which the panel's tests run: real MRML nodes and logics, Qt as PythonQt shows it.

``start()`` gives the one application of the process; after it ``import qt, ctk, slicer`` work as in a module. What
is imitated and what is not stands at the head of each file. A test tool: the product never imports it.
"""
