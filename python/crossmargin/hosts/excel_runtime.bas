
' From here on crossmargin's own text.

' Settings come from one file of this user and from nowhere else: neither a workbook nor a file
' that lies beside it may choose the program that runs.
Function GetConfig(configKey As String, Optional default As String = "") As Variant
    Dim configValue As String
    configValue = default
    GetConfigFromFile GetConfigFilePath(), configKey, configValue
    If configKey = "INTERPRETER_WIN" And configValue = "" Then
        Err.Raise 1002, Description:="No Python is named in " & GetConfigFilePath() & _
            ". Run in a terminal: crossmargin excel install"
    End If
    GetConfig = configValue
End Function
