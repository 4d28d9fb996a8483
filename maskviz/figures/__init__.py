"""From arrays to figures: Plotly, PNG, SVG and PDF; nothing here imports streamlit."""
