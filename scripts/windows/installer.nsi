; The installer for one user, without an administrator. Defined by build.py: FOLDER, OUTPUT, VERSION, KILOBYTES.
Target amd64-unicode  ; as the Python in it; Wine without its 32-bit half can run it too
SetCompressor /SOLID lzma
RequestExecutionLevel user
Name "buyerblock"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\buyerblock"
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

!define ENTRY "Software\Microsoft\Windows\CurrentVersion\Uninstall\buyerblock"
!define PYTHON '"$INSTDIR\python\python.exe" -m oauth_web'

; Files of a program that runs cannot be replaced. It may be ended at any moment: nothing is lost.
!macro EndWhatRuns
    System::Call 'kernel32::SetEnvironmentVariable(t "BUYERBLOCK_FOLDER", t "$INSTDIR\python\")'
    nsExec::Exec 'schtasks /End /TN buyerblock'
    nsExec::Exec 'powershell -NoProfile -Command "Get-Process | Where-Object { $$_.Path -and \
        $$_.Path.StartsWith($$env:BUYERBLOCK_FOLDER) } | Stop-Process -Force"'
!macroend

Section
    !insertmacro EndWhatRuns
    RMDir /r "$INSTDIR\python"
    SetOutPath "$INSTDIR"
    File /r "${FOLDER}/*"
    ; It starts in the user's own folder: a folder that something started in cannot be removed.
    SetOutPath "$PROFILE"
    CreateShortcut "$SMPROGRAMS\buyerblock.lnk" "$INSTDIR\python\pythonw.exe" "-m oauth_web serve --open --log-file"
    WriteUninstaller "$INSTDIR\uninstall.exe"
    WriteRegStr HKCU "${ENTRY}" "DisplayName" "buyerblock"
    WriteRegStr HKCU "${ENTRY}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKCU "${ENTRY}" "InstallLocation" "$INSTDIR"
    WriteRegStr HKCU "${ENTRY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKCU "${ENTRY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKCU "${ENTRY}" "EstimatedSize" ${KILOBYTES}
    WriteRegDWORD HKCU "${ENTRY}" "NoModify" 1
    WriteRegDWORD HKCU "${ENTRY}" "NoRepair" 1
SectionEnd

; The data folder, $LOCALAPPDATA\buyerblock, stays: the block list outlives the program.
Section Uninstall
    nsExec::Exec '${PYTHON} service uninstall'
    !insertmacro EndWhatRuns
    Delete "$SMPROGRAMS\buyerblock.lnk"
    RMDir /r "$INSTDIR\python"
    Delete "$INSTDIR\buyerblock.cmd"
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
    DeleteRegKey HKCU "${ENTRY}"
SectionEnd
