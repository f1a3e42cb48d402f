"""The engine: it trains any compiled Keras model, a whole epoch as one XLA program.

`loop.train_models` is its door. Read `members` (what is trained), `loop`, `batches` and `epoch`; `twins`, `strengths`,
`bags`, `convolutions` and `first_weights` make a part fast, each with the reason. `models` and `codegen` turn a spec
into a Keras model, and into the program that a person would write.
"""
