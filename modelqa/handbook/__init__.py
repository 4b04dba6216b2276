"""The handbook of gates: a page for each gate of a suites folder, made from its files and from real failing runs.

    modelqa gates                 every gate by rung, one line each
    modelqa gates NAME            its page
    make pages                    docs/gates, written again
    make gate-outputs             the failing outputs: of make zoo-matrix's records, then of defects made anew

`shipped` reads what a gate says of itself, `known` what stands of it elsewhere, `page` writes both down, `failing`
makes a real defect and keeps what the gate then says, `harvest` takes it from records of the zoo, `command` is modelqa
gates.
"""
