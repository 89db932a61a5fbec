"""The paper's figures and table, from measured results, arrays and models.

    from mae_viz.figures import fig3
    fig3.draw(mae_viz.results()).savefig("fig3.pdf")

``fig1`` three schemes, ``fig2`` architecture, ``fig3`` rate and distortion, ``fig4`` feature maps, ``table1``
parameters; ``output`` writes them, ``style`` is their common look. Nothing here needs torch to be imported; counting
parameters (``table1``, and with it ``fig1``) and looking inside models (``fig2``, ``fig4.look``) load it.
"""
