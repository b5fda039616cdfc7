"""Steps on the machines of a Ray cluster; the schedule, retries and stops are the local engine's.

Every place of the schedule is a Ray actor that holds what a worker needs (processors, a share of a
GPU, memory, resources of the user's), and each of its steps is a task of it. Only modules of this
package know of Ray, and they import it when a study is run on it.
"""
